"""Orders of an operator to the processes of this server: `giving.py` writes them, `obeying.py` carries them out."""
