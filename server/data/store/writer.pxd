# Compiled without types of its own.
