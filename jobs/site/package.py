# A Spack recipe for dtrain. Edit `git` below, then:
#
#   spack repo create ~/site && mkdir -p ~/site/packages/dtrain
#   cp jobs/site/package.py ~/site/packages/dtrain/ && spack repo add ~/site
#   spack install --test=root dtrain
#
# Spack before 1.0: delete the line that imports CMakePackage.
#
# Tried: Python compiles the recipe; its directives and methods ran against a stand-in for
# spack.package, and the CMake options that it returns configure, build and install dtrain on Debian 12.
# Not tried: Spack itself (concretizing, `spack style`, its own builds of the libraries), because Spack
# was not available.
from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Dtrain(CMakePackage):
    """Trains neural networks on tables, on any number of MPI ranks, with the same bits."""

    git = "file:///path/to/dtrain"  # edit this: a clone that the build can read

    license("BSD-3-Clause")

    version("main", branch="main")

    variant("native", default=False, description="Compile for the CPU of the build host only")

    depends_on("c", type="build")
    depends_on("cmake@3.20:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("help2man", type="build")

    depends_on("mpi@3.1:")
    depends_on("hdf5+hl")
    depends_on("jansson")
    depends_on("openblas")
    depends_on("zlib-api")

    def cmake_args(self):
        return [
            self.define_from_variant("DTRAIN_NATIVE", "native"),
            self.define("BUILD_TESTING", False),  # the tests need cmocka and NumPy
            self.define("DTRAIN_ONNX", False),  # the package onnx does not install onnx.proto
        ]

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def check_install(self):
        """Trains the built-in example."""
        with working_dir(self.build_directory):
            Executable(self.prefix.bin.dtrain)("--quiet", "--epochs", "1", "--out", "check")
