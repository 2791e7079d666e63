# What a build needs; every script that builds includes it. The Debian packages:
override BUILD_PACKAGES := libopenblas-dev libdnnl-dev libzstd-dev libjpeg-dev libpng-dev libwebp-dev libtiff-dev libarchive-dev zlib1g-dev pkg-config
# SwiftPM passes traits to the compiler in the order of a set, which differs from process to process, and whatever has other arguments is
# compiled again. This makes the order one.
override SWIFT_BUILD := SWIFT_DETERMINISTIC_HASHING=1 swift build
