// libudev: the hardware database of names, and device events.
#include <libudev.h>
