cpdef check_version(record)
cpdef int check(record, dict table) except -1
cpdef bytes blob(fields, list blobs)
