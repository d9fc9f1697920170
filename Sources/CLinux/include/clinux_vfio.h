// VFIO's and iommufd's requests, for kernels newer than the headers.
//
// Why C: the _IO macros are not imported into Swift, so each request number is a constant here. Debian 12's headers are
// Linux 6.1: they have no linux/iommufd.h, and no device cdev in linux/vfio.h. What they lack is declared below under
// the kernel's own names, each behind a guard, so that newer headers win; the assertions hold either way.
//
// Documentation/driver-api/vfio.rst, Documentation/userspace-api/iommufd.rst.

#ifndef CLINUX_VFIO_H
#define CLINUX_VFIO_H

#include <linux/vfio.h>

#if __has_include(<linux/iommufd.h>)
#include <linux/iommufd.h>
#endif

// Linux 6.6: a device opened through /dev/vfio/devices/vfioN.

#ifndef VFIO_DEVICE_BIND_IOMMUFD
#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
struct vfio_device_bind_iommufd {
    __u32 argsz;
    __u32 flags;
    __s32 iommufd;
    __u32 out_devid;
};
#endif

#ifndef VFIO_DEVICE_ATTACH_IOMMUFD_PT
#define VFIO_DEVICE_ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)
struct vfio_device_attach_iommufd_pt {
    __u32 argsz;
    __u32 flags;
    __u32 pt_id;
};
#endif

#ifndef VFIO_DEVICE_DETACH_IOMMUFD_PT
#define VFIO_DEVICE_DETACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 20)
struct vfio_device_detach_iommufd_pt {
    __u32 argsz;
    __u32 flags;
};
#endif

// Linux 6.2: /dev/iommu.

#ifndef IOMMU_IOAS_ALLOC
#define IOMMUFD_TYPE (';')
#define IOMMU_DESTROY _IO(IOMMUFD_TYPE, 0x80)
struct iommu_destroy {
    __u32 size;
    __u32 id;
};

#define IOMMU_IOAS_ALLOC _IO(IOMMUFD_TYPE, 0x81)
struct iommu_ioas_alloc {
    __u32 size;
    __u32 flags;
    __u32 out_ioas_id;
};

#define IOMMU_IOAS_IOVA_RANGES _IO(IOMMUFD_TYPE, 0x84)
struct iommu_iova_range {
    __aligned_u64 start;
    __aligned_u64 last;
};
struct iommu_ioas_iova_ranges {
    __u32 size;
    __u32 ioas_id;
    __u32 num_iovas;
    __u32 __reserved;
    __aligned_u64 allowed_iovas;
    __aligned_u64 out_iova_alignment;
};

#define IOMMU_IOAS_MAP _IO(IOMMUFD_TYPE, 0x85)
enum iommufd_ioas_map_flags {
    IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,
    IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,
    IOMMU_IOAS_MAP_READABLE = 1 << 2,
};
struct iommu_ioas_map {
    __u32 size;
    __u32 flags;
    __u32 ioas_id;
    __u32 __reserved;
    __aligned_u64 user_va;
    __aligned_u64 length;
    __aligned_u64 iova;
};

#define IOMMU_IOAS_UNMAP _IO(IOMMUFD_TYPE, 0x86)
struct iommu_ioas_unmap {
    __u32 size;
    __u32 ioas_id;
    __aligned_u64 iova;
    __aligned_u64 length;
};
#endif

// The kernel copies exactly these many bytes: a padding of ours would be an argument of theirs. Structures that grow
// with the kernel are held to their oldest size at least.
_Static_assert(sizeof(struct vfio_group_status) == 8, "VFIO_GROUP_GET_STATUS");
_Static_assert(sizeof(struct vfio_device_info) >= 20, "VFIO_DEVICE_GET_INFO");
_Static_assert(sizeof(struct vfio_region_info) == 32, "VFIO_DEVICE_GET_REGION_INFO");
_Static_assert(sizeof(struct vfio_info_cap_header) == 8, "capability header");
_Static_assert(sizeof(struct vfio_irq_info) == 16, "VFIO_DEVICE_GET_IRQ_INFO");
_Static_assert(sizeof(struct vfio_irq_set) == 20, "VFIO_DEVICE_SET_IRQS");
_Static_assert(sizeof(struct vfio_iommu_type1_info) == 24, "VFIO_IOMMU_GET_INFO");
_Static_assert(sizeof(struct vfio_iommu_type1_dma_map) == 32, "VFIO_IOMMU_MAP_DMA");
_Static_assert(sizeof(struct vfio_iommu_type1_dma_unmap) == 24, "VFIO_IOMMU_UNMAP_DMA");
_Static_assert(sizeof(struct vfio_device_bind_iommufd) >= 16, "VFIO_DEVICE_BIND_IOMMUFD");
_Static_assert(sizeof(struct vfio_device_attach_iommufd_pt) >= 12, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
_Static_assert(sizeof(struct vfio_device_detach_iommufd_pt) >= 8, "VFIO_DEVICE_DETACH_IOMMUFD_PT");
_Static_assert(sizeof(struct iommu_destroy) == 8, "IOMMU_DESTROY");
_Static_assert(sizeof(struct iommu_ioas_alloc) == 12, "IOMMU_IOAS_ALLOC");
_Static_assert(sizeof(struct iommu_iova_range) == 16, "IOMMU_IOAS_IOVA_RANGES");
_Static_assert(sizeof(struct iommu_ioas_iova_ranges) == 32, "IOMMU_IOAS_IOVA_RANGES");
_Static_assert(sizeof(struct iommu_ioas_map) == 40, "IOMMU_IOAS_MAP");
_Static_assert(sizeof(struct iommu_ioas_unmap) == 24, "IOMMU_IOAS_UNMAP");

#define CLINUX_REQUEST(name) static const unsigned long C_##name = name

CLINUX_REQUEST(VFIO_GET_API_VERSION);
CLINUX_REQUEST(VFIO_CHECK_EXTENSION);
CLINUX_REQUEST(VFIO_SET_IOMMU);
CLINUX_REQUEST(VFIO_GROUP_GET_STATUS);
CLINUX_REQUEST(VFIO_GROUP_SET_CONTAINER);
CLINUX_REQUEST(VFIO_GROUP_GET_DEVICE_FD);
CLINUX_REQUEST(VFIO_DEVICE_GET_INFO);
CLINUX_REQUEST(VFIO_DEVICE_GET_REGION_INFO);
CLINUX_REQUEST(VFIO_DEVICE_GET_IRQ_INFO);
CLINUX_REQUEST(VFIO_DEVICE_SET_IRQS);
CLINUX_REQUEST(VFIO_DEVICE_RESET);
CLINUX_REQUEST(VFIO_DEVICE_BIND_IOMMUFD);
CLINUX_REQUEST(VFIO_DEVICE_ATTACH_IOMMUFD_PT);
CLINUX_REQUEST(VFIO_DEVICE_DETACH_IOMMUFD_PT);
CLINUX_REQUEST(VFIO_IOMMU_GET_INFO);
CLINUX_REQUEST(VFIO_IOMMU_MAP_DMA);
CLINUX_REQUEST(VFIO_IOMMU_UNMAP_DMA);
CLINUX_REQUEST(IOMMU_DESTROY);
CLINUX_REQUEST(IOMMU_IOAS_ALLOC);
CLINUX_REQUEST(IOMMU_IOAS_IOVA_RANGES);
CLINUX_REQUEST(IOMMU_IOAS_MAP);
CLINUX_REQUEST(IOMMU_IOAS_UNMAP);

#undef CLINUX_REQUEST

#endif
