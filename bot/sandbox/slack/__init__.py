"""A stand-in for Slack: Web API and Socket Mode over real HTTP and WebSocket on loopback.

`server.SlackSandbox` is the server and the way in; `people` holds what a person can do.
"""
