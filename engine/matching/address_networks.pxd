cpdef tuple networks_of(str address)
