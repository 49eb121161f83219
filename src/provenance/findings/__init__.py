"""What a verification says: findings, notes, reports, and the table of their codes. Pure."""
