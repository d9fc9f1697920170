import Guests
import PCI
import Testing
import VFIO

@Suite("Placeholders of run")
struct PlaceholderTests {
    private let iommufd = HandedOver(
        addresses: addresses, devices: [20, 21], context: .iommufd(22, ioas: 7))
    private let group = HandedOver(
        addresses: addresses, devices: [20, 21], context: .group(groups: [30, 30], container: 31))

    @Test(
        "each is replaced by the number or the address it stands for",
        arguments: [
            ("{fd}", "20"), ("{fd0}", "20"), ("{fd1}", "21"), ("{iommufd}", "22"), ("{ioas}", "7"),
            ("{address0}", "0000:01:00.0"), ("{address1}", "0000:01:10.2"),
            ("vfio-pci,fd={fd},iommufd=i0", "vfio-pci,fd=20,iommufd=i0"), ("{fd}{fd1}", "2021"), ("{{fd}}", "{20}"),
            (#"{"driver":"vfio-pci","fd":"{fd1}"}"#, #"{"driver":"vfio-pci","fd":"21"}"#), ("é{fd}é", "é20é"),
        ])
    func iommufdBackend(argument: String, filled: String) throws {
        #expect(try ArgumentTemplate(argument).filled(iommufd.value) == filled)
    }

    @Test(
        "and so are those of the group backend",
        arguments: [("{groupfd0},{groupfd1}", "30,30"), ("{containerfd}", "31"), ("{fd1}", "21")])
    func groupBackend(argument: String, filled: String) throws {
        #expect(try ArgumentTemplate(argument).filled(group.value) == filled)
    }

    @Test(
        "anything else in braces is the command's own",
        arguments: [
            "", "{", "}", "{}", "{{", "{fd", "fd}", "{ fd}", "{fd }", "{FD}", "{fd-1}", "{fd+1}", "{fd01}", "{fd0x1}",
            "{fdN}", "{address}", "{groupfd}", "{iommufd0}", "{containerfd0}", "{ioas0}", "{addresses0}", "${fd_}",
            #"{"a":{"b":[1]}}"#, "{fd\u{301}}", "{ﬁd}",
        ])
    func untouched(argument: String) throws {
        #expect(try ArgumentTemplate(argument).filled(iommufd.value) == argument)
    }

    @Test(
        "one that this run cannot fill is refused before anything is opened",
        arguments: [
            ("{fd2}", VFIOBackend.iommufd, true), ("{address2}", .iommufd, true), ("{groupfd0}", .iommufd, true),
            ("{containerfd}", .iommufd, true), ("{ioas}", .iommufd, false), ("{iommufd}", .group, true),
            ("{ioas}", .group, true), ("{groupfd2}", .group, true),
            ("{fd99999999999999999999999}", .iommufd, true),
        ])
    func refused(argument: String, backend: VFIOBackend, attached: Bool) {
        let request = HandOverRequest(addresses: addresses, backend: backend, attached: attached)
        let error = #expect(throws: ProgramHandOffError.self) { try request.check([ArgumentTemplate("x=\(argument)")]) }
        #expect(error?.code == .badPlaceholder)
        #expect(error?.description.contains("cannot fill \(argument): ") == true)
    }

    @Test("the environment names the descriptors, and not those of an outer run")
    func environment() {
        let outer = ["PATH=/bin", "VFIO_DEVICE_FDS=9", "VFIO_CONTAINER_FD=8", "VFIO_IOMMUFD=7", "VFIO_IOMMUFD_X=1"]
        #expect(
            iommufd.environment(replacingIn: outer)
                == ["PATH=/bin", "VFIO_IOMMUFD_X=1", "VFIO_DEVICE_FDS=20,21", "VFIO_IOMMUFD=22"])
        #expect(
            group.environment(replacingIn: outer)
                == ["PATH=/bin", "VFIO_IOMMUFD_X=1", "VFIO_DEVICE_FDS=20,21", "VFIO_CONTAINER_FD=31"])
    }
}

private let addresses = ["0000:01:00.0", "0000:01:10.2"].compactMap { PCIAddress($0) }
