/* spot.h: where something is in a file of YAML. */
#pragma once

typedef struct YamlSpot {
        int line, col; /* from 1; col counts characters */
} YamlSpot;
