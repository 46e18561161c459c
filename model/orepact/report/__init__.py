"""Tables become something to read: plan card, progress, pages. No mathematics."""
