"""What is given: an instance read, converted, checked and frozen."""
