// The signature of a dataset: servers of this protocol with equal data give an equal one, whatever the order in which
// their tables keep it. A key's digest is made of its bytes, type, value and whether it expires (not when); those of
// a database's keys are combined by exclusive or, after the database's number has been mixed in.
#pragma once

#include "common/base/sha1.h"
#include "server/store/keyspace.h"

namespace vedette {

/// Of all databases, for DEBUG DIGEST. O(bytes of the dataset).
Sha1Digest dataset_digest(const Keyspace& keyspace);
/// Of a value alone, for DEBUG DIGEST-VALUE.
Sha1Digest value_digest(const Entry& entry);

}  // namespace vedette
