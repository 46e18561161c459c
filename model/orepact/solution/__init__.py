"""What comes out: one frozen `Solution`, its tidy tables, and the folder a run leaves behind."""
