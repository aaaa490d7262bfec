"""Report child abuse material to the organisation that the law names (such as NCMEC), and delete the data of minors."""
