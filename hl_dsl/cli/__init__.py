"""The `hl` command line: `main.py` starts it, `app.py` lists the commands."""
