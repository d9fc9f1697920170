/// What the kernel's VFIO knows of drivers, kept as data.
public enum DriverPolicy {
    /// Drivers whose devices may sit in a group that a user owns, because they never do DMA of their own: `pci-stub`, and
    /// the port driver of bridges (`driver_managed_dma` in drivers/pci/pci-stub.c and drivers/pci/pcie/portdrv.c).
    public static let harmless: Set<String> = ["pci-stub", "pcieport"]

    /// Whether a driver gives its devices out through VFIO: vfio-pci, and the variants (`mlx5_vfio_pci`,
    /// `nvgrace_gpu_vfio_pci`), whose names all end so.
    public static func isVFIO(_ driver: String) -> Bool {
        driver.hasSuffix("vfio-pci") || driver.hasSuffix("vfio_pci")
    }

    /// Whether a group stays viable with a member bound to `driver`.
    public static func sparesViability(_ driver: String) -> Bool { isVFIO(driver) || harmless.contains(driver) }
}
