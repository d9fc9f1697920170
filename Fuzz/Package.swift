// swift-tools-version: 6.2
//
// What reads text and bytes that a kernel, a device or another machine wrote, under libFuzzer: `make fuzz`. A package of its
// own: every module of it is built with libFuzzer's instrumentation, the library's too.

import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(name: "swift-vfio", path: ".."),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        .target(name: "CLibFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CLibFuzzer",
                .product(name: "PassthroughKit", package: "swift-vfio"),
                .product(name: "VFIO", package: "swift-vfio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/Fuzz", swiftSettings: strict),
    ]
)
