# Drivers outside the kernel, written with the library alone (Examples/UserDriver): interrupts through an eventfd and DMA
# through a mapped buffer, with both backends.

vfioctl bind 00:03.0 04:00.0 --group >/dev/null
vfioctl sriov create eth0 1 --driver vfio-pci >/dev/null
# The card raises a function's interrupts only while its own interface is up.
ip link set eth0 up
# The card raises MSI-X of its virtual functions once the driver of its physical one has switched it to them.
ip link set eth0 up

for backend in group iommufd; do
    check_output "$backend: edu raises an MSI and copies a buffer there and back" "" user-driver edu 00:03.0 --backend $backend
    sed 's/^/        /' "$last_output"
    check_output "$backend: the same behind a root port" "" user-driver edu 04:00.0 --backend $backend
    check_output "$backend: igb's virtual function raises an MSI-X" "" user-driver igbvf 01:10.0 --backend $backend
    sed 's/^/        /' "$last_output"
done
check_equal "no DMA went astray: the IOMMU reported no fault" 0 "$(dmesg | grep -c 'DMAR:.*fault')"

ip link set eth0 down
ip link set eth0 down
vfioctl sriov destroy eth0 >/dev/null
vfioctl restore --all >/dev/null
