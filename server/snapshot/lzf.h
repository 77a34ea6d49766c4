// LZF, the packing of strings in an RDB.
//
// Packed bytes are runs: 000nnnnn and n+1 literal bytes, or lllooooo [more length if lll is 7] and 8 more
// bits of offset, a copy of l+2 bytes from offset+1 back. Copies reach 8 KiB back, so packed parts may be
// strung together.
//
// Unpacking is liblzf's. Packing is our own: liblzf's keeps 256 KiB of uncleared table, which costs the
// caches more than the packing of a short string, and makes its output differ from run to run.
#pragma once

#include <cstddef>
#include <string_view>

namespace vedette {

/// Packs `bytes` into `room` bytes at `to`; returns how many were taken, or 0 if it does not fit (which is
/// found out early where nothing repeats).
size_t lzf_pack(std::string_view bytes, char* to, size_t room);
/// What packing takes at most.
constexpr size_t lzf_packed_max(size_t size) { return size + size / 32 + 1; }

/// Unpacks into exactly `size` bytes at `to`. False if `packed` is not the packed form of so many.
bool lzf_unpack(std::string_view packed, char* to, size_t size);
/// What so many packed bytes can hold at most: a copy of three bytes makes 264.
constexpr size_t lzf_unpacked_max(size_t packed) { return packed * 88; }

}  // namespace vedette
