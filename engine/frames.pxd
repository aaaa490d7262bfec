cpdef bytes waiting(str accepts, widens, bint others)
cpdef bytes usual(str chat, common, str language)
cpdef bytes matched(bytes inside)
cpdef bytes left(str by, side)
