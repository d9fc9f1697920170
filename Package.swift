// swift-tools-version: 6.2
//
// The rooms of the house, and who may use whom. Imports run downward only; README.md draws the same map.

import PackageDescription

#if compiler(<6.3)
    #error("swift-vfio needs Swift 6.3 or newer: install it from swift.org and try again")
#endif

/// One set of rules for every target: data-race safety, unsafe code marked, imports explicit, no warnings.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "swift-vfio",
    products: [
        .library(name: "VFIO", targets: ["VFIO"]),
        .library(
            name: "PassthroughKit",
            targets: [
                "PCI", "Netlink", "HostAccess", "Host", "Changes", "Passthrough", "Readiness", "Capture", "Guests",
            ]),
        .library(name: "LiveHost", targets: ["LiveHost"]),
        .library(name: "HostSimulator", targets: ["HostSimulator"]),
        .executable(name: "vfioctl", targets: ["vfioctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // The kernel's and the C library's side. CLinux is the only C in the libraries.
        .target(name: "CLinux"),
        .systemLibrary(name: "CLibPCI", pkgConfig: "libpci", providers: [.apt(["libpci-dev"])]),
        .systemLibrary(name: "CLibUdev", pkgConfig: "libudev", providers: [.apt(["libudev-dev"])]),
        library("LinuxIO", ["CLinux", system]),

        // Pure values.
        library("PCI", []),
        library("Netlink", []),

        // A host: seen, changed, verified. Nothing here asks whether it is live, captured or simulated.
        library("HostAccess", ["LinuxIO", "PCI", "Netlink", system]),
        library("Host", ["HostAccess", "PCI", "Netlink", system]),
        library("Changes", ["HostAccess", system]),
        library("Passthrough", ["Host", "Changes", "HostAccess", "PCI", system]),
        library("HostSimulator", ["HostAccess", "PCI", system]),

        library("Readiness", ["Host", "HostAccess", "PCI", "VFIO", system]),

        // A host as a directory.
        library("Capture", ["Host", "HostAccess", "Changes", "Readiness", "Netlink", "PCI", "VFIO", system]),

        // Text for a terminal: tables and lines that fit.
        library("Rendering", ["PCI"]),

        // The real machine.
        library(
            "LiveHost", ["HostAccess", "Host", "LinuxIO", "CLinux", "PCI", "Netlink", "CLibPCI", "CLibUdev", system]),

        // A device in user space: apart from all of the above but PCI addresses, for whoever embeds it.
        library("VFIO", ["LinuxIO", "PCI", "CLinux", system]),

        // Handing a device to a program, and to a running guest.
        library("Guests", ["Changes", "Host", "HostAccess", "LinuxIO", "PCI", "VFIO", system]),

        .executableTarget(
            name: "vfioctl",
            dependencies: [
                "LiveHost", "HostSimulator", "Guests", "VFIO", "Passthrough", "Readiness", "Capture", "Host", "Changes",
                "HostAccess", "PCI",
                "LinuxIO", "Rendering",
                arguments,
                system,
            ],
            swiftSettings: strict),

        // Programs that use the library alone.
        .executableTarget(
            name: "user-driver", dependencies: ["VFIO", "LinuxIO", "PCI"], path: "Examples/UserDriver",
            swiftSettings: strict),

        // For Benchmarks/run: what a register read costs, against the same loop in C.
        .target(name: "RegisterLoopInC", path: "Benchmarks/RegisterLoopInC"),
        .executableTarget(
            name: "register-cost", dependencies: ["VFIO", "LinuxIO", "RegisterLoopInC"],
            path: "Benchmarks/RegisterCost", swiftSettings: strict),

        tests("LinuxIOTests", ["LinuxIO", system]),
        tests("PCITests", ["PCI", "TestSupport"]),
        tests("NetlinkTests", ["Netlink", "TestSupport"]),
        tests("HostSimulatorTests", ["HostSimulator", "HostAccess", system]),
        tests("VFIOTests", ["VFIO", "LinuxIO", "PCI", "CLinux", system]),
        tests("ChangesTests", ["Changes", "HostSimulator", "HostAccess"]),
        tests("PassthroughTests", ["Passthrough", "Host", "Changes", "HostSimulator", "HostAccess", "PCI"]),
        tests(
            "GuestsTests", ["Guests", "TestSupport", "Changes", "Host", "HostAccess", "LinuxIO", "PCI", "VFIO", system]),
        .target(name: "TestSupport", dependencies: ["Netlink"], path: "Tests/Support", swiftSettings: strict),
        tests("HostAccessTests", ["HostAccess", "TestSupport", system]),
        tests("HostTests", ["Host", "HostAccess", "Netlink", "TestSupport", "PCI", system]),
        tests("ReadinessTests", ["Readiness", "Host", "HostAccess", "TestSupport", "PCI", "VFIO", system]),
        tests(
            "CaptureTests",
            [
                "Capture", "Changes", "Host", "HostAccess", "HostSimulator", "Netlink", "Passthrough", "TestSupport",
                "PCI", system,
            ]),
        tests("RenderingTests", ["Rendering", "PCI"]),
        tests(
            "LiveHostTests",
            ["LiveHost", "CLinux", "Host", "HostAccess", "LinuxIO", "Netlink", "PCI", "TestSupport", system]),
    ],
    cLanguageStandard: .gnu17
)
