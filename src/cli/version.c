#include "commands.h"

#include "dtrain/base/crc32.h"
#include "dtrain/comm/comm.h"
#include "dtrain/io/h5.h"
#include "dtrain/io/json.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/run/environment.h"

#include <stdio.h>
#include <string.h>

/* A library that does not match its headers is the first suspect: then both versions are named. */
static void end_line(const char *library, const char *built_with)
{
    if (strstr(library, built_with) == NULL && strstr(built_with, library) == NULL)
        printf(" (built with %s)", built_with);
    putchar('\n');
}

void dt_cli_version(void)
{
    char cpu[128];
    dt_environment_cpu(cpu, sizeof cpu);
    printf("dtrain " DTRAIN_VERSION "%s\n", DTRAIN_COMMIT[0] != '\0' ? " (" DTRAIN_COMMIT ")" : "");
    printf("%s", dt_comm_library());
    end_line(dt_comm_library(), dt_comm_built_with());
    printf("%s, %s kernels", dt_linalg_library(), dt_linalg_kernels());
    end_line(dt_linalg_library(), DTRAIN_OPENBLAS);
    printf("HDF5 %s", dt_h5_version());
    end_line(dt_h5_version(), DTRAIN_HDF5);
    printf("zlib %s", dt_zlib_version());
    end_line(dt_zlib_version(), DTRAIN_ZLIB);
    printf("jansson %s", dt_json_version());
    end_line(dt_json_version(), DTRAIN_JANSSON);
#ifdef DTRAIN_WITH_ONNX
    printf("protobuf-c " DTRAIN_PROTOBUF_C "\n");
#else
    printf("without ONNX\n");
#endif
    printf("kernels %s\n", dt_linalg_isa());
    printf("CPU %s\n", cpu);
    printf("calls %s\n", dt_comm_standard());
    printf("OpenBLAS options %s\n", dt_linalg_library_options());
    printf("compiler " DTRAIN_COMPILER "\n");
    printf("flags " DTRAIN_FLAGS "\n");
}
