"""Real parts on one machine: Docker, act, the GitHub API by `emulate`, an artifact store.

`python3 -m tests.e2e.testbed` makes everything once and prints what it took; the tests then find it ready.
Standard library only, so that it runs before anything of the project is installed.
"""
