cpdef check_version(record)
cpdef check(record, table)
cpdef bytes blob(fields, list blobs)
