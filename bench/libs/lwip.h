/* bench/libs/lwip.h - what the programs that measure Debian's lwIP share. */
#ifndef BENCH_LIBS_LWIP_H
#define BENCH_LIBS_LWIP_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"
#pragma GCC diagnostic pop

#endif
