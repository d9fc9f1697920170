// libpci: only its table of names is used (LiveHost/PCINames.swift says why).
#include <pci/pci.h>
