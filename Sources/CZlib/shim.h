#ifndef PIXELRL_CZLIB_SHIM_H
#define PIXELRL_CZLIB_SHIM_H

#include <zlib.h>

#endif
