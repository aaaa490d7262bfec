"""Make the parts of one server process and connect them."""
