"""Store bodies outside the database, in a folder or an S3 bucket: the object store, and objects sealed under keys of their own."""
