"""Draw the boards of grafana/ as pictures, from their JSON and a live Prometheus."""
