cpdef list chat_ids(ended)
cpdef double ended_at(bytes chat)
cpdef bytes bound(double when)
cpdef day_of(double when)
