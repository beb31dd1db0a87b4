# The tools that tests ask with, apart from the hosts under test.
ARG BASE
FROM ${BASE}

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      bind9-dnsutils bind9-utils knot knot-dnsutils ldnsutils \
 && apt-get clean

CMD ["/bin/sh"]
