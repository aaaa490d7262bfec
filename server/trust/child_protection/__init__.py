"""Send reports of child abuse material to the body that the law names, and delete the records of minors."""
