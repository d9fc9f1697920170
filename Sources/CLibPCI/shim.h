// libpci: only its table of names is used. Its scan of the bus calls a no-return error handler when a device goes away
// meanwhile, which would have to jump over Swift frames; and it costs eight times what reading sysfs costs.

#ifndef CLIBPCI_SHIM_H
#define CLIBPCI_SHIM_H

#include <pci/pci.h>
#include <setjmp.h>
#include <stddef.h>

// Without `pci_init`, which is about devices, libpci's three handlers are unset, and it calls them all the same: on a cache of
// names from the network that does not exist, and on a pci.ids that it cannot parse.

/// Where a lookup goes on when libpci gives up. A local static, because Swift emits functions of a header but not its variables.
static inline jmp_buf *clibpci_unreadable(void) {
    static __thread jmp_buf lookup;
    return &lookup;
}

static inline void clibpci_ignore(char *format, ...) { (void)format; }

/// Must not return: goes back to the lookup that met the error.
static inline void PCI_NONRET clibpci_give_up(char *format, ...) {
    (void)format;
    longjmp(*clibpci_unreadable(), 1);
}

/// A handle for names alone; NULL when there is no memory.
static inline struct pci_access *clibpci_names(void) {
    struct pci_access *access = pci_alloc();
    if (access == NULL) return NULL;
    access->error = clibpci_give_up;
    access->warning = clibpci_ignore;
    access->debug = clibpci_ignore;
    // No cache of names that came from the network; nothing here asks the network.
    access->id_lookup_mode = 0;
    return access;
}

/// `pci_lookup_name`, which is variadic: Swift cannot call it. NULL for an id that pci.ids does not name, and when pci.ids
/// cannot be parsed. The hardware database is not asked: it is not there, or this library would not be.
static inline const char *clibpci_look_up(
    struct pci_access *access, char *buffer, int size, int kind, int first, int second) {
    if (setjmp(*clibpci_unreadable()) != 0) return NULL;
    return pci_lookup_name(
        access, buffer, size, kind | PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB, first, second);
}

static inline const char *clibpci_vendor(struct pci_access *access, char *buffer, int size, int vendor) {
    return clibpci_look_up(access, buffer, size, PCI_LOOKUP_VENDOR, vendor, 0);
}
static inline const char *clibpci_device(struct pci_access *access, char *buffer, int size, int vendor, int device) {
    return clibpci_look_up(access, buffer, size, PCI_LOOKUP_DEVICE, vendor, device);
}
static inline const char *clibpci_class(struct pci_access *access, char *buffer, int size, int class_and_subclass) {
    return clibpci_look_up(access, buffer, size, PCI_LOOKUP_CLASS, class_and_subclass, 0);
}

#endif
