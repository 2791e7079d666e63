#include <dnnl.h>
#if DNNL_VERSION_MAJOR != 2
#error "oneDNN 2 is expected (Debian: libdnnl-dev); swift build --disable-default-traits builds without it"
#endif
