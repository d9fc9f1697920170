// libpci: only its table of names is used. Its scan of the bus calls a no-return error handler when a device goes away
// meanwhile, which would have to jump over Swift frames; and it costs eight times what reading sysfs costs.

#ifndef CLIBPCI_SHIM_H
#define CLIBPCI_SHIM_H

#include <pci/pci.h>
#include <stddef.h>

/// `pci_lookup_name` is variadic, which Swift cannot call. Each answers NULL for an id that pci.ids does not name.
/// Without PCI_LOOKUP_NETWORK no name is asked of the network. The hardware database was asked before, by us; libpci would
/// also announce it through `debug`, which is set only by the scan that we do not make.
enum { CLIBPCI_FLAGS = PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB };

static inline const char *clibpci_vendor(struct pci_access *access, char *buffer, int size, int vendor) {
    return pci_lookup_name(access, buffer, size, PCI_LOOKUP_VENDOR | CLIBPCI_FLAGS, vendor);
}
static inline const char *clibpci_device(struct pci_access *access, char *buffer, int size, int vendor, int device) {
    return pci_lookup_name(access, buffer, size, PCI_LOOKUP_DEVICE | CLIBPCI_FLAGS, vendor, device);
}
static inline const char *clibpci_class(struct pci_access *access, char *buffer, int size, int class_and_subclass) {
    return pci_lookup_name(access, buffer, size, PCI_LOOKUP_CLASS | CLIBPCI_FLAGS, class_and_subclass);
}

#endif
