/* File systems over a network, by their numbers in statfs(2). */
#include "runs/network.h"

#include <stdint.h>
#include <sys/vfs.h>

static const uint32_t network_file_systems[] = {
    0x00006969, /* NFS */
    0x0bd00bd0, /* Lustre */
    0x47504653, /* GPFS */
    0x0000517b, /* SMB */
    0xfe534d42, /* SMB 2 and 3 */
    0xff534d42, /* CIFS */
    0x00c36400, /* Ceph */
    0x19830326, /* BeeGFS */
    0x5346414f, /* AFS */
    0x01021997, /* 9P */
};

int wi__is_on_a_network(int descriptor) {
    struct statfs about;
    if (fstatfs(descriptor, &about) != 0) return 0;
    int count = (int)(sizeof network_file_systems / sizeof *network_file_systems);
    for (int i = 0; i < count; i++)
        if ((uint32_t)about.f_type == network_file_systems[i]) return 1;
    return 0;
}
