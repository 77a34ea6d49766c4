// Digests of ordered and of unordered parts, put together as other servers do.
#include "server/store/digest.h"

#include "server/store/string_value.h"

namespace vedette {
namespace {

std::string_view bytes_of(const Sha1Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

// Adds bytes for which their order among others does not count.
void add_unordered(Sha1Digest& digest, std::string_view bytes) {
  const Sha1Digest other = sha1(bytes);
  for (size_t i = 0; i < digest.size(); i++) digest[i] ^= other[i];
}

// Adds bytes for which it does.
void add_ordered(Sha1Digest& digest, std::string_view bytes) {
  add_unordered(digest, bytes);
  digest = sha1(bytes_of(digest));
}

void add_number(Sha1Digest& digest, uint32_t number) {
  const char big_endian[] = {char(number >> 24), char(number >> 16), char(number >> 8), char(number)};
  add_ordered(digest, {big_endian, sizeof big_endian});
}

void add_value(Sha1Digest& digest, const Entry& entry) {
  add_number(digest, uint32_t(entry.type()));
  VED_ASSERT(entry.type() == ValueType::kString);
  IntegerText text;
  add_ordered(digest, string_bytes(entry, text));
  if (entry.has_expiry()) add_unordered(digest, "!!expire!!");
}

}  // namespace

Sha1Digest value_digest(const Entry& entry) {
  Sha1Digest digest{};
  add_value(digest, entry);
  return digest;
}

Sha1Digest dataset_digest(const Keyspace& keyspace) {
  Sha1Digest total{};
  for (int i = 0; i < keyspace.count(); i++) {
    const Database& db = keyspace.db(i);
    if (!db.size()) continue;
    add_number(total, uint32_t(i));
    db.table().for_each([&](const Entry& entry) {
      Sha1Digest digest{};
      add_ordered(digest, entry.key());
      add_value(digest, entry);
      add_unordered(total, bytes_of(digest));
    });
  }
  return total;
}

}  // namespace vedette
