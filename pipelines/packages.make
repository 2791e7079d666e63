# The Debian packages that a build needs. A script that builds includes it.
override BUILD_PACKAGES := libopenblas-dev libdnnl-dev libzstd-dev libjpeg-dev libpng-dev libwebp-dev libtiff-dev libarchive-dev zlib1g-dev pkg-config
