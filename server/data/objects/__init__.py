"""Store binary objects outside the database, in a folder or an S3 bucket, each encrypted under its own key."""
