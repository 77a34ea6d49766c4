// The signature of a dataset: servers of this protocol with equal data give an equal one, whatever the order in which
// their tables keep it. A key's digest is made of its bytes, type, value and whether it expires (not when); those of
// a database's keys are combined by exclusive or, after the database's number has been mixed in.
#pragma once

#include "common/base/sha1.h"
#include "server/store/keyspace.h"

namespace vedette {

/// A digest in the making. What a type mixes in, and in which order, is in its kind (value_kind.h).
class DigestMixer {
 public:
  /// Adds bytes for which their order among others does not count.
  void add_unordered(std::string_view bytes);
  /// Adds bytes for which it does.
  void add_ordered(std::string_view bytes);
  /// Adds a number, big-endian in four bytes, in order.
  void add_number(uint32_t number);
  /// Adds another digest's bytes, unordered.
  void add_unordered(const DigestMixer& other);
  const Sha1Digest& digest() const { return digest_; }

 private:
  Sha1Digest digest_{};
};

/// Of all databases, for DEBUG DIGEST. O(bytes of the dataset).
Sha1Digest dataset_digest(const Keyspace& keyspace);
/// Of a value alone, for DEBUG DIGEST-VALUE.
Sha1Digest value_digest(const Entry& entry);

}  // namespace vedette
