"""How people leave a process. Rule: see session_export.py; compiled as it stands."""
