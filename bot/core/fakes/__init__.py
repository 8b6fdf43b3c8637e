"""A platform and a clock in memory that behave, for the tests of every room."""
