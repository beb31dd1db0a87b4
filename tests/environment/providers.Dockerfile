# The stand-ins of DNS providers: what tests/cloud/stand_in needs.
ARG BASE
FROM ${BASE}

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      python3-boto3 python3-dnspython python3-flask python3-flask-cors python3-moto \
 && apt-get clean
