// Runs the tests with the kernels that PRONGHORN_ISA names; exits with 77 where they are missing.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "pronghorn/base/cpu.h"
#include "pronghorn/base/error.h"

int main(int argc, char** argv) {
  try {
    pronghorn::active_isa();
  } catch (const pronghorn::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 77;
  }
  return doctest::Context(argc, argv).run();
}
