"""The places where people chat, one folder each; they never see each other."""
