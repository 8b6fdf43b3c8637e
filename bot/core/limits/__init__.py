"""What may be used, by whom, and what has been: quotas, and what is set aside."""
