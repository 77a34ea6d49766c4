// The groups of options in the order of conf/vedette.conf, and its opening.
#include "server/app/options.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vedette {

Status directory_exists(std::string_view path) {
  if (path.empty()) return Status::ok();  // the folder the server is started in
  struct stat found {};
  const std::string name(path);
  if (stat(name.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && access(name.c_str(), X_OK) == 0) return Status::ok();
  return Error(std::strerror(errno ? errno : ENOTDIR));
}

std::vector<OptionGroup> server_option_groups(ServerOptions& options, const OptionEnvironment& environment) {
  std::vector<OptionGroup> groups;
  groups.push_back(network_options(options.network));
  groups.push_back(process_options(options.process, environment));
  groups.push_back(security_options(options.security));
  groups.push_back(memory_options(options.memory));
  groups.push_back(snapshot_options(options.persistence));
  groups.push_back(append_log_options(options.persistence));
  groups.push_back(replication_options(options.replication));
  groups.push_back(data_type_options(options.data_types));
  groups.push_back(observation_options(options.observation));
  groups.push_back(machine_options(options.process));
  groups.push_back(tls_options(options.tls, options.network));
  groups.push_back(defragmentation_options(options.memory));
  groups.push_back(cluster_options(options.cluster));
  return groups;
}

std::string documented_configuration() {
  ServerOptions options;
  return ConfigRegistry(server_option_groups(options, {}))
      .documentation(
          "vedette.conf: every option of vedette-server with its default, so that this file as it stands "
          "changes "
          "nothing.\n"
          "A line is an option and its values. Words hold blanks if they are quoted: \"...\" knows \\n, \\r, "
          "\\t, \\xHH "
          "and \\\\; '...' nothing but \\'. A '#' at the beginning makes a comment. Bytes are plain, or with "
          "a unit: 1k is "
          "1000, 1kb 1024, so m, mb, g and gb.\n"
          "include PATH reads another file at its place; a pattern such as conf.d/*.conf reads all that "
          "match. Of two "
          "lines of one option the later counts, but lines of save, user and rename-command add up. What the "
          "command line "
          "says (--port 7000) counts last.\n"
          "CONFIG SET changes an option of the running server unless it is fixed at the start; CONFIG "
          "REWRITE brings the "
          "file up to date.");
}

}  // namespace vedette
