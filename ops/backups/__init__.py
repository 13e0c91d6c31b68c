"""Backups: one file holds the database and every attached file, and proves by itself that it is whole.

A file is a line that names the format, a manifest that anybody may read (`manifest.py`), and a gzipped tar archive
(`archive.py`) in sealed frames (`sealing.py`). It is kept in a store (`stores/`): a folder, or S3.
"""
