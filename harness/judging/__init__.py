"""What exchanges mean: pure functions of what was recorded, without a socket or a clock."""
