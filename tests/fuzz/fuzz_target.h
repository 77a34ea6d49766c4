// What a fuzz target offers: libFuzzer's entry point, and a corpus in code from which standalone_main.cc
// breeds inputs where there is no libFuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

/// Well-formed inputs of every kind that the target knows; at least one.
std::span<const std::string_view> fuzz_corpus();
