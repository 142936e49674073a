{
  # The addon in plain C on node_api.h. Linux only: elsewhere the target is empty, so that an install succeeds.
  'targets': [
    {
      'target_name': 'winsockd',
      'conditions': [
        ['OS=="linux"', {
          'type': 'loadable_module',
          'sources': [
            'module.c',
            'values.c',
            'namespace.c',
            'device.c',
            'batch.c',
            'segment.c',
            'poll.c',
            'netlink.c',
            'interface.c',
            'threads.c',
            'privileges.c',
            'credentials.c',
          ],
          'defines': ['_GNU_SOURCE', 'NAPI_VERSION=8', '_FORTIFY_SOURCE=2'],
          'cflags!': ['-O3'],
          'cflags': [
            '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wstrict-prototypes', '-Wformat=2',
            '-Wno-error=deprecated-declarations', '-fvisibility=hidden', '-fstack-protector-strong',
            '-fno-strict-aliasing',
          ],
          'ldflags': ['-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,noexecstack'],
          'libraries': ['-lpthread'],
        }, {
          'type': 'none',
        }],
      ],
    },
  ],
}
