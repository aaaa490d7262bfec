"""Put in what another process of this host sends. See session_import.py; compiled as it stands."""
