"""The boards of grafana/ as pictures. Rule: a picture is made from the board's own JSON and a live Prometheus."""
