// MPICH's mpi.h includes this as if its folder were searched. Where mpi.h is mpi/mpi.h, this is beside it.
#include <mpi/mpi_proto.h>
